import { RedisScript } from '../redis/redis-script.ts';

/**
 * Shared by all scripts. All keys begin with KEYS[1], whose hash tag puts them into one slot of a cluster:
 * `…:nodes`, a sorted set of node ids, scored by their last heartbeat in milliseconds of the server's clock;
 * `…:users`, a sorted set of the ids of all nodes' users, ordered by id;
 * `…:node:<id>`, a hash of that node's users: `<time of entering in microseconds>:<name>`, and the node's version under the empty field.
 * The keys expire after an hour without heartbeats. ARGV[1] is `deadAfterMs`: how long a node without a heartbeat counts as living, in milliseconds.
 */
const common = `
local base = KEYS[1]
local nodes, users = base .. ':nodes', base .. ':users'
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function usersOf(node) return base .. ':node:' .. node end

local function living()
  return redis.call('ZRANGEBYSCORE', nodes, '(' .. string.format('%.0f', now - tonumber(ARGV[1])), '+inf')
end

local function isOn(some, user, except)
  for _, node in ipairs(some) do
    if node ~= except and redis.call('HEXISTS', usersOf(node), user) == 1 then return true end
  end
  return false
end

local function isKnown(node, version)
  local held = redis.call('HGET', usersOf(node), '')
  return held and (version == nil or held == version)
end

local function seen(node, version)
  redis.call('ZADD', nodes, string.format('%.0f', now), node)
  redis.call('HSET', usersOf(node), '', version)
  for _, key in ipairs({nodes, users, usersOf(node)}) do redis.call('PEXPIRE', key, 3600000) end
end

-- The newest entry of each user, by its position in ids. The empty field is the version, not a user.
local function newestOf(some, ids)
  local newest = {}
  for _, node in ipairs(some) do
    for at, value in ipairs(redis.call('HMGET', usersOf(node), unpack(ids))) do
      if value and ids[at] ~= '' and (not newest[at] or tonumber(string.match(value, '^%d+')) > tonumber(string.match(newest[at], '^%d+'))) then
        newest[at] = value
      end
    end
  end
  return newest
end

local function forget(node, user)
  redis.call('HDEL', usersOf(node), user)
  if not isOn(redis.call('ZRANGE', nodes, 0, -1), user, node) then redis.call('ZREM', users, user) end
end
`;

const script = (text: string) => new RedisScript(common + text);

/** Heartbeat. ARGV: node, version. Returns 1, or 0 and does nothing if the store does not hold this version of the node. */
export const beatScript = script(`
if not isKnown(ARGV[2], ARGV[3]) then return 0 end
seen(ARGV[2], ARGV[3])
return 1
`);

/** Adds the node, or removes all its users if it exists. ARGV: node, version. */
export const resetScript = script(`
for _, user in ipairs(redis.call('HKEYS', usersOf(ARGV[2]))) do
  if user ~= '' then forget(ARGV[2], user) end
end
seen(ARGV[2], ARGV[3])
`);

/**
 * Adds and removes users of a node. ARGV: node, version, number of present users, id and name of each, ids of absent users.
 * Returns the ids of those users who are online on other living nodes; nil, and changes nothing, if the node is unknown.
 */
export const changeScript = script(`
local node, count = ARGV[2], tonumber(ARGV[4])
if not isKnown(node) then return false end
local alive, elsewhere = living(), {}
local stamp = clock[1] .. string.format('%06d', clock[2])
for at = 5, 4 + 2 * count, 2 do
  local user = ARGV[at]
  if isOn(alive, user, node) then table.insert(elsewhere, user) end
  redis.call('HSET', usersOf(node), user, stamp .. ':' .. ARGV[at + 1])
  redis.call('ZADD', users, 0, user)
end
for at = 5 + 2 * count, #ARGV do
  forget(node, ARGV[at])
  if isOn(alive, ARGV[at], node) then table.insert(elsewhere, ARGV[at]) end
end
seen(node, ARGV[3])
return elsewhere
`);

/** Removes some users of one dead node. Returns id and name of each who is offline now; nil if there is no dead node. */
export const sweepScript = script(`
local node = redis.call('ZRANGEBYSCORE', nodes, '-inf', string.format('%.0f', now - tonumber(ARGV[1])), 'LIMIT', 0, 1)[1]
if not node then return false end
-- Without the version, the node's next heartbeat fails if it is alive after all, and it enters its users again.
redis.call('HDEL', usersOf(node), '')
local found = redis.call('HSCAN', usersOf(node), 0, 'COUNT', 500)[2]
local alive, gone = living(), {}
for at = 1, #found, 2 do
  forget(node, found[at])
  if not isOn(alive, found[at]) then
    table.insert(gone, found[at])
    table.insert(gone, string.match(found[at + 1], ':(.*)'))
  end
end
if redis.call('HLEN', usersOf(node)) == 0 then redis.call('ZREM', nodes, node) end
return gone
`);

/** Makes a node count as dead. ARGV: node. */
export const abandonScript = script(`
if redis.call('ZSCORE', nodes, ARGV[2]) then redis.call('ZADD', nodes, 0, ARGV[2]) end
`);

/** ARGV: user. Returns 1 if the user is online, else 0. */
export const isOnlineScript = script(`
return isOn(living(), ARGV[2]) and 1 or 0
`);

/** ARGV: ids of users. Returns id and name of each who is online. */
export const filterOnlineScript = script(`
local ids = {unpack(ARGV, 2)}
local newest, online = newestOf(living(), ids), {}
for at, id in ipairs(ids) do
  if newest[at] then
    table.insert(online, id)
    table.insert(online, string.match(newest[at], ':(.*)'))
  end
end
return online
`);

/** ARGV: limit, the id after which to begin or ''. Returns id and name of each user, ordered by id. */
export const listScript = script(`
local limit, from = tonumber(ARGV[2]), ARGV[3] == '' and '-' or '(' .. ARGV[3]
local alive, listed = living(), {}
while #listed < 2 * limit do
  local ids = redis.call('ZRANGEBYLEX', users, from, '+', 'LIMIT', 0, math.min(limit, 500))
  if #ids == 0 then break end
  local newest = newestOf(alive, ids)
  for at, id in ipairs(ids) do
    if newest[at] and #listed < 2 * limit then
      table.insert(listed, id)
      table.insert(listed, string.match(newest[at], ':(.*)'))
    end
  end
  from = '(' .. ids[#ids]
end
return listed
`);
