"""Reconciliation 核对: does what the records say still fit together? For after a crash, a restore, a fault (docs/reliability.md)."""
