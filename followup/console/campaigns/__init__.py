"""Campaigns 回访任务 in the console: the list, the steps to make one, its ledger, what staff must look into, call-backs."""
