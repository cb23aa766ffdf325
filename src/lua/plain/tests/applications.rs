//! Scripts as applications send them, which are to be plain: locks, counters, limits, queues.

/// Each of them.
pub const OF_APPLICATIONS: &[&str] = &[
    "return redis.call('incr', KEYS[1])",
    "return(redis.call('incr',KEYS[1]))",
    "if redis.call(\"get\",KEYS[1]) == ARGV[1] then\n return redis.call(\"del\",KEYS[1])\nelse\n return 0\nend",
    "local token = redis.call('get', KEYS[1])\nif not token or token ~= ARGV[1] then\n return 0\nend\nredis.call('del', KEYS[1])\nreturn 1\n",
    "-- Sets it if it was this.\nlocal v = redis.call('GET', KEYS[1])\nif v == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]); return 1 end return 0",
    "",
    // Counters with a limit.
    "local current = redis.call('INCR', KEYS[1]) if current == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end return current",
    "local c = tonumber(redis.call('GET', KEYS[1]) or '0') if c + 1 > tonumber(ARGV[1]) then return 0 else redis.call('INCRBY', KEYS[1], 1) redis.call('EXPIRE', KEYS[1], ARGV[2]) return 1 end",
    "local v = redis.call('GET', KEYS[1]) if v and tonumber(v) >= tonumber(ARGV[1]) then return redis.call('DECRBY', KEYS[1], ARGV[1]) end return -1",
    // A window that slides.
    "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', tonumber(ARGV[1]) - tonumber(ARGV[2])) local n = redis.call('ZCARD', KEYS[1]) if n < tonumber(ARGV[3]) then redis.call('ZADD', KEYS[1], ARGV[1], ARGV[4]) redis.call('PEXPIRE', KEYS[1], ARGV[2]) return {1, n + 1} end return {0, n}",
    // A bucket of tokens.
    "local rate, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])\nlocal now = tonumber(ARGV[3])\nlocal requested = tonumber(ARGV[4])\nlocal fill_time = capacity/rate\nlocal ttl = math.floor(fill_time*2)\nlocal last_tokens = tonumber(redis.call(\"get\", KEYS[1]))\nif last_tokens == nil then\n  last_tokens = capacity\nend\nlocal last_refreshed = tonumber(redis.call(\"get\", KEYS[2]))\nif last_refreshed == nil then\n  last_refreshed = 0\nend\nlocal delta = math.max(0, now-last_refreshed)\nlocal filled_tokens = math.min(capacity, last_tokens+(delta*rate))\nlocal allowed = filled_tokens >= requested\nlocal new_tokens = filled_tokens\nlocal allowed_num = 0\nif allowed then\n  new_tokens = filled_tokens - requested\n  allowed_num = 1\nend\nif ttl > 0 then\n  redis.call(\"setex\", KEYS[1], ttl, new_tokens)\n  redis.call(\"setex\", KEYS[2], ttl, now)\nend\nreturn { allowed_num, new_tokens }",
    "local data = redis.call('HMGET', KEYS[1], 'tokens', 'at')\nlocal tokens = tonumber(data[1] or ARGV[1])\nlocal at = tonumber(data[2]) or 0\nlocal time = redis.call('TIME')\nlocal now = time[1] * 1000 + math.floor(time[2] / 1000)\nif tokens < 1 then return {0, tostring(tokens)} end\nredis.call('HSET', KEYS[1], 'tokens', tokens - 1, 'at', now)\nreturn {1, tostring(tokens - 1)}",
    "redis.replicate_commands()\nlocal key = KEYS[1]\nlocal burst = ARGV[1]\nlocal rate = ARGV[2]\nlocal period = ARGV[3]\nlocal cost = tonumber(ARGV[4])\nlocal emission_interval = period / rate\nlocal increment = emission_interval * cost\nlocal burst_offset = emission_interval * burst\nlocal now = redis.call(\"TIME\")\nnow = (now[1] - 1483228800) + (now[2] / 1000000)\nlocal tat = redis.call(\"GET\", key)\nif not tat then\n  tat = now\nelse\n  tat = tonumber(tat)\nend\ntat = math.max(tat, now)\nlocal new_tat = tat + increment\nlocal allow_at = new_tat - burst_offset\nlocal diff = now - allow_at\nlocal remaining = diff / emission_interval\nif remaining < 0 then\n  local reset_after = tat - now\n  local retry_after = diff * -1\n  return {\n    0,\n    0,\n    tostring(retry_after),\n    tostring(reset_after),\n  }\nend\nlocal reset_after = new_tat - now\nif reset_after > 0 then\n  redis.call(\"SET\", key, new_tat, \"EX\", math.ceil(reset_after))\nend\nlocal retry_after = -1\nreturn {cost, remaining, tostring(retry_after), tostring(reset_after)}",
    // A lock that its holder may take again.
    "if ((redis.call('exists', KEYS[1]) == 0) or (redis.call('hexists', KEYS[1], ARGV[2]) == 1)) then redis.call('hincrby', KEYS[1], ARGV[2], 1); redis.call('pexpire', KEYS[1], ARGV[1]); return nil; end; return redis.call('pttl', KEYS[1]);",
    "if (redis.call('hexists', KEYS[1], ARGV[3]) == 0) then return nil;end; local counter = redis.call('hincrby', KEYS[1], ARGV[3], -1); if (counter > 0) then redis.call('pexpire', KEYS[1], ARGV[2]); return 0; else redis.call('del', KEYS[1]); redis.call('publish', KEYS[2], ARGV[1]); return 1; end; return nil;",
    // Queues.
    "local job = redis.call('RPOP', KEYS[1])\nif not job then return nil end\nredis.call('ZADD', KEYS[2], ARGV[1] + 30, job)\nredis.call('HINCRBY', KEYS[3] .. ':' .. job, 'attempts', 1)\nreturn job",
    "local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1)\nif #found == 0 then return false end\nredis.call('ZREM', KEYS[1], found[1])\nreturn found[1]",
    "if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('NOKEY no such job') end return redis.status_reply('OK')",
    "if #KEYS ~= 1 then return {err = 'ERR one key'} end local r = redis.pcall('INCR', KEYS[1]) return r",
];
