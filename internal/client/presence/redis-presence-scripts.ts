import { RedisScript } from '../redis/redis-script.ts';

/**
 * KEYS[1] begins all the keys, and its hash tag puts them into one slot of a cluster:
 * `…:nodes`, a sorted set of node ids by when they were seen last, in milliseconds by the server's clock;
 * `…:users`, a sorted set of the ids of all nodes' users, by id;
 * `…:node:<id>`, a hash of that node's users: `<when they entered, in microseconds>:<name>`; and its version under the empty name.
 * All of them expire in an hour without nodes. ARGV[1] is how long a silent node lives, in milliseconds.
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

-- What the nodes hold of each user whom they have: the newest. The empty name is not a user's.
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

/** ARGV: node, version. 1 if the node is known with this version. */
export const beatScript = script(`
if not isKnown(ARGV[2], ARGV[3]) then return 0 end
seen(ARGV[2], ARGV[3])
return 1
`);

/** ARGV: node, version. The node is known and has no users. */
export const resetScript = script(`
for _, user in ipairs(redis.call('HKEYS', usersOf(ARGV[2]))) do
  if user ~= '' then forget(ARGV[2], user) end
end
seen(ARGV[2], ARGV[3])
`);

/** ARGV: node, version, number of users present, id and name of each, ids of those absent. Nil if the node is not known; else those elsewhere. */
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

/** Takes out some users of one node that does not live. Nil if there is none; else id and name of each who is gone. */
export const sweepScript = script(`
local node = redis.call('ZRANGEBYSCORE', nodes, '-inf', string.format('%.0f', now - tonumber(ARGV[1])), 'LIMIT', 0, 1)[1]
if not node then return false end
-- Without its version a node that comes back sees that it has lost users.
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

/** ARGV: node. */
export const abandonScript = script(`
if redis.call('ZSCORE', nodes, ARGV[2]) then redis.call('ZADD', nodes, 0, ARGV[2]) end
`);

/** ARGV: user. */
export const isOnlineScript = script(`
return isOn(living(), ARGV[2]) and 1 or 0
`);

/** ARGV: users. Id and name of each who is online. */
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

/** ARGV: limit, id after which to begin, or nothing. Id and name of each. */
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
