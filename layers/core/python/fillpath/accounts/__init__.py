"""Users, accounts, webhooks, halts, and what they allow."""
