-- Users of such a client.
select distinct user_id as "sign_in.user_id"
from clients
