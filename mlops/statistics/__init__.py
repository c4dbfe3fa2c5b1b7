"""What may be said of numbers, at any time: evidence that stays valid however often somebody looks.

Pure functions of what was seen. An e-process is the wealth of somebody who starts with 1 and bets at fair odds that the
hypothesis is wrong: under the hypothesis it ever reaches ``1 / alpha`` with a probability of at most ``alpha`` (Ville's
inequality), whenever one looks and however long one goes on. Each module here is one hypothesis:

``rates``   the new version does something no more often than the old one
``means``   the new version earns no less than the old one, by more than a limit
``pairs``   of requests that both answered the new version is wrong no more often than the old one
``split``   the requests were shared as was asked
"""
