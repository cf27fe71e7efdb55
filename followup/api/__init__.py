"""The interface for customer systems (CRM): /api/v1, described in openapi.yml."""
