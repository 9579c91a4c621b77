"""One-file programs that run, each ``python -m worldloom_sdk.examples.NAME 127.0.0.1:8420``; ``--help`` says more.

Company: greeter, follower, crowd, parade. On the move: tour, patrol, explorer, painter. Listening: chatlog,
moderator. Game and time: dice, herald. Land and money: estate_agent, auctioneer, speculator. For their owner: keys.
"""
