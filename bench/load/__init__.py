"""`make load LOAD="--rate 20 --minutes 60 --talks 500"`: many customers at once, and what each of them was told is checked."""
