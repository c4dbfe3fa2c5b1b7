"""The one process of an account that does what is due when nobody asks: alarms are judged, schedules fire, what they
and rules have to say is delivered.

It holds a lock like the owner of an endpoint (:mod:`mlops.account.local.ownership`), is woken by whoever gives it work
and ends when there is none. What was done for which moment is in the store, in the transaction of the doing: after a
kill the next one goes on behind it, and misses nothing. What ticks is a file each in ``tickers``, whom it delivers to
one each in ``targets``.
"""
