-- Users whose session moved.
select distinct user_id as "sign_in.user_id"
from moves
