-- Subscriptions where protection was weakened within a day; keys may be read later.
select subscription_id as "activity.subscription_id"
from candidates
