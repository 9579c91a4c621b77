"""The gateway owns client sockets and HTTP; it simulates nothing."""
