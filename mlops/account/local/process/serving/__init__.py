"""The work of an endpoint's process: servers are started, traffic is switched, drained, revived, all side by side.

Events come in (:mod:`.happenings`), a pure function answers each with the next state and what is to be done
(:mod:`.machine`), and one loop does it (:mod:`.endpoint`). Nothing waits for anything else: what takes time is done
in a thread or by a timer, and its end is an event again.
"""
