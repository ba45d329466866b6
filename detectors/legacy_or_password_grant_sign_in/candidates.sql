-- Users who signed in with a password alone.
select distinct user_id as "sign_in.user_id"
from passwords
