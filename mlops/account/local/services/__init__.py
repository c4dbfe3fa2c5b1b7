"""One package per AWS service, named as boto3 names it with ``_`` for ``-``. Each module in it may have ``OPERATIONS``:
operation name -> function of the state and the request; :mod:`mlops.account.local.answering` finds them."""
