"""What a reply does to a talk. Pure: (script, state, reply) -> (state, sentences, effects).

    state.py     where a talk stands; lives in Rasa's tracker as one slot
    reply.py     what the customer said, as understood
    wording.py   sentences from the script files, filled in
    items.py     what can be open: consent, a question, a reason, a call-back ... and how it is asked
    hear.py      a reply to the open item, handed to the module of that item:
      consent.py         is it convenient now, and is it you?
      somebody_else.py   another user of the car, somebody who passes it on
      when.py            the time of a call-back
      open_question.py   a question of the script, its reason and improvement
      unclear.py         asked again, in simpler words, passed over
    doubt.py     acts that a reply only resembles, and that are not believed
    buttons.py   quick replies, and an option's very own words
    health.py    remarks about the customer's health
    record.py    what one answer writes down
    ahead.py     answers given before their question
    spoken.py    an answer as it is read back
    answers.py   answers taken, acknowledged, probed, corrected
    interrupt.py what the bot does about an interruption
    put_off.py   busy, driving, eating: let go, and when we come back
    go_ahead.py  busy, and bids us speak all the same
    appoint.py   call-backs: understood, moved to a proper hour, read back
    turn.py      one turn: script, state, reply, and what comes of it
    aspects.py   which side of the business a remark is about
    reason.py    does a dissatisfied reply say why?
    season.py    greetings by the time of day, festivals, seasons
    knowledge.py answers to what customers ask about the business
    silence.py   a customer who does not reply
    finish.py    closing sentences by outcome
    inbound.py   talks that the customer begins
    after.py     what is said once the talk is over
    effects.py   what is to be written down
"""
