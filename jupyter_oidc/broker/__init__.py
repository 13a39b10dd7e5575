"""The broker: a front of the routes that holds the sessions of many accounts, away from the processes of their users."""
