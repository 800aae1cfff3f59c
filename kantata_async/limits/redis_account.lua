-- Stores the limits of an account if they are still what was read before, and reads them; one step for all that ask.
-- KEYS: the limits, who takes part.
-- ARGV: what was read; what it becomes, or '' to read alone; who asks; seconds that the limits are kept; seconds in
-- which one counts as active, and as active lately.
-- Gives whether it was stored, the limits, the time, and how many are active, and were lately.
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
redis.call('ZADD', KEYS[2], now, ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
local kept, stored = redis.call('GET', KEYS[1]) or '', 0
if ARGV[2] ~= '' and kept == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[4])
  kept, stored = ARGV[2], 1
end
return {stored, kept, tostring(now), redis.call('ZCOUNT', KEYS[2], now - ARGV[5], '+inf'), redis.call('ZCARD', KEYS[2])}
