-- What stands between a script and the machine: tables that cannot be changed, and errors that Rust raised as scripts know them.
-- Each `fixed` table is an empty one before the real one; what would look behind it is told where to look.
local host = ...
local translate, handle, scripts = host.translate, host.handle, host.scripts
local rawpcall, rawxpcall, rawget, rawset, next, type = pcall, xpcall, rawget, rawset, next, type
local rawpairs, error, setmetatable, getmetatable, tostring = pairs, error, setmetatable, getmetatable, tostring
local unpack, loadstring, rawconcat, select, tonumber = unpack, loadstring, table.concat, select, tonumber
local rawfind, rawmatch, rawgmatch, rawgsub = string.find, string.match, string.gmatch, string.gsub
local refuse_argument, raise, placed = host.refuse, host.raise, host.placed
local real_of = {}
local READONLY = "Attempt to modify a readonly table"

local function refuse()
  error(READONLY, 2)
end

local function fixed(real, index)
  local proxy = {}
  real_of[proxy] = real
  local meta = { __index = index or real, __newindex = refuse, __metatable = false }
  return setmetatable(proxy, meta), meta
end

-- Errors.
local function seen(e)
  local of = type(e)
  if of == "userdata" then
    return translate(e)
  end
  return of == "string" and placed(e) or e
end

local function finish(ok, first, ...)
  if not ok then
    return false, seen(first)
  end
  return ok, first, ...
end

-- What an argument should have been: the one at a place of so many.
local function expected(what, count, at, value)
  return what .. " expected, got " .. (count < at and "no value" or type(value))
end

-- As in Redis: where what was raised is a table that has a text, `pcall` returns the text; another one comes with what it has there.
local function finish_pcall(ok, first, ...)
  if ok then
    return ok, first, ...
  end
  first = seen(first)
  if type(first) == "table" then
    local text = first.err
    local of = type(text)
    if of == "string" or of == "number" then
      return false, text
    end
    return false, first, text
  end
  return false, first
end

local function safe_pcall(...)
  if select("#", ...) == 0 then
    -- There it calls the truth that it is about to return.
    return false, "attempt to call a boolean value"
  end
  local f, message, level = ...
  level = f == error and tonumber(level)
  if level and level >= 2 then
    -- Counted without this function.
    return finish_pcall(rawpcall(error, message, level + 1))
  end
  return finish_pcall(rawpcall(...))
end

local function safe_xpcall(...)
  local f, handler = ...
  if select("#", ...) < 2 then
    refuse_argument(2, "value expected")
  end
  return rawxpcall(f, function(e)
    return handler(seen(e))
  end)
end

-- Globals.
local G = {
  assert = assert, collectgarbage = collectgarbage, error = error, gcinfo = gcinfo, ipairs = ipairs, rawequal = rawequal,
  select = select, tonumber = tonumber, tostring = tostring, type = type, unpack = unpack, _VERSION = _VERSION, next = next,
  pcall = safe_pcall, xpcall = safe_xpcall,
}

G.pairs = function(...)
  local t = ...
  if type(t) ~= "table" then
    refuse_argument(1, expected("table", select("#", ...), 1, t))
  end
  return next, real_of[t] or t, nil
end

G.rawget = function(...)
  local t, k = ...
  local count = select("#", ...)
  if type(t) ~= "table" then
    refuse_argument(1, expected("table", count, 1, t))
  end
  if count < 2 then
    refuse_argument(2, "value expected")
  end
  return (rawget(real_of[t] or t, k))
end

G.rawset = function(...)
  local t, k, v = ...
  local count = select("#", ...)
  if type(t) ~= "table" then
    refuse_argument(1, expected("table", count, 1, t))
  end
  if count < 3 then
    refuse_argument(count + 1, "value expected")
  end
  if real_of[t] then
    error(READONLY, 0)
  end
  return (rawset(t, k, v))
end

local of_globals = fixed({})
G.getmetatable = function(...)
  local t = ...
  if select("#", ...) == 0 then
    refuse_argument(1, "value expected")
  end
  if t == nil then
    return nil
  end
  local real = real_of[t]
  if real then
    return real == G and of_globals or nil
  end
  return getmetatable(t)
end

G.setmetatable = function(...)
  local t, m = ...
  local count = select("#", ...)
  if type(t) ~= "table" then
    refuse_argument(1, expected("table", count, 1, t))
  end
  if count < 2 or m ~= nil and type(m) ~= "table" then
    refuse_argument(2, "nil or table expected")
  end
  if real_of[t] then
    error(READONLY, 0)
  end
  local before = getmetatable(t)
  if type(before) ~= "table" and before ~= nil or before and rawget(before, "__metatable") ~= nil then
    raise("cannot change a protected metatable")
  end
  return (setmetatable(t, m))
end

-- What is nowhere is sought in a table that knows nothing, and says so.
local function nonexistent(_, k)
  local of = type(k)
  if of ~= "string" and of ~= "number" then
    error("Second argument to luaProtectedTableError must be a string or number", 2)
  end
  error("Script attempted to access nonexistent global variable '" .. tostring(k) .. "'", 2)
end

local function or_nonexistent(of)
  return setmetatable(of, { __index = nonexistent })
end

local globals = fixed(or_nonexistent(G))
G._G = globals

-- Code that was compiled elsewhere is not to be trusted.
local function refuse_compiled(code)
  if type(code) == "string" and code:byte(1) == 27 then
    return "attempt to load a binary chunk"
  end
end

-- Whether an argument is text, or a number as text.
local function is_text(value)
  local of = type(value)
  return of == "string" or of == "number"
end

G.loadstring = function(...)
  local code, name = ...
  local count = select("#", ...)
  if not is_text(code) then
    refuse_argument(1, expected("string", count, 1, code))
  end
  if name ~= nil and not is_text(name) then
    refuse_argument(2, expected("string", count, 2, name))
  end
  local why = refuse_compiled(code)
  if why then
    return nil, why
  end
  return loadstring(code, name)
end

G.load = function(...)
  local reader, name = ...
  local count = select("#", ...)
  if type(reader) ~= "function" then
    refuse_argument(1, expected("function", count, 1, reader))
  end
  if name ~= nil and not is_text(name) then
    refuse_argument(2, expected("string", count, 2, name))
  end
  local pieces = {}
  while true do
    local ok, piece = rawpcall(reader)
    if not ok then
      return nil, type(piece) == "userdata" and translate(piece) or piece
    end
    if piece == nil or piece == "" then
      break
    end
    if not is_text(piece) then
      return nil, "reader function must return a string"
    end
    pieces[#pieces + 1] = piece
  end
  local code = rawconcat(pieces)
  local why = refuse_compiled(code)
  if why then
    return nil, why
  end
  return loadstring(code, name or "=(load)")
end

-- Libraries.
local function copy_of(library)
  local copy = {}
  for k, v in rawpairs(library) do
    copy[k] = v
  end
  return copy
end

-- Called by the name that Lua's refusals tell.
local insert = table.insert
local function check_insert(...)
  local t, at = ...
  local count = select("#", ...)
  if type(t) ~= "table" then
    refuse_argument(1, expected("table", count, 1, t), 1)
  end
  if count ~= 2 and count ~= 3 then
    raise("wrong number of arguments to 'insert'", 1)
  end
  if count == 3 and not tonumber(at) then
    refuse_argument(2, expected("number", count, 2, at), 1)
  end
  if real_of[t] then
    error(READONLY, 0)
  end
end

local function safe_insert(...)
  local t, at, _, more = ...
  if at == nil or more ~= nil or real_of[t] then
    check_insert(...)
  end
  insert(...)
end

local real_table = copy_of(table)
real_table.insert = safe_insert
G.table = fixed(real_table)

local real_coroutine = copy_of(coroutine)
local resume = coroutine.resume
real_coroutine.resume = function(...)
  return finish(resume(...))
end
G.coroutine = fixed(real_coroutine)

local real_math = copy_of(math)
real_math.random, real_math.randomseed = host.random, host.randomseed
G.math = fixed(real_math)

local real_string = copy_of(string)
-- What matches a pattern calls itself for each part of it that may repeat: more of them than this are too many for a thread's stack.
-- All else that the library refuses is refused here, in the words that it would find if nothing stood in between.
local PARTS_MAX = 4000

local function check_texts(count, text, pattern)
  if not is_text(text) then
    refuse_argument(1, expected("string", count, 1, text), 1)
  end
  if not is_text(pattern) then
    refuse_argument(2, expected("string", count, 2, pattern), 1)
  end
  if #pattern > PARTS_MAX then
    local _, parts = rawgsub(pattern, "[*+?-]", "")
    if parts > PARTS_MAX then
      raise("pattern too complex", 1)
    end
  end
end

local function check_number(at, value)
  if value ~= nil and not tonumber(value) then
    refuse_argument(at, expected("number", at, at, value), 1)
  end
end

real_string.find = function(...)
  local text, pattern, from, plain = ...
  check_texts(select("#", ...), text, pattern)
  check_number(3, from)
  return rawfind(text, pattern, from, plain)
end

real_string.match = function(...)
  local text, pattern, from = ...
  check_texts(select("#", ...), text, pattern)
  check_number(3, from)
  return rawmatch(text, pattern, from)
end

real_string.gmatch = function(...)
  local text, pattern = ...
  check_texts(select("#", ...), text, pattern)
  return rawgmatch(text, pattern)
end
real_string.gfind = real_string.gfind and real_string.gmatch
real_string.gsub = function(...)
  local text, pattern, by, max = ...
  check_texts(select("#", ...), text, pattern)
  check_number(4, max)
  local of = type(by)
  if of ~= "string" and of ~= "number" and of ~= "function" and of ~= "table" then
    refuse_argument(3, "string/function/table expected")
  end
  return rawgsub(text, pattern, by, max)
end
G.string = fixed(real_string)
local of_strings = getmetatable("")
of_strings.__index = real_string
of_strings.__metatable = fixed({ __index = G.string })

G.os = fixed({ clock = os.clock })
for _, name in rawpairs({ "cjson", "cmsgpack", "bit", "struct" }) do
  G[name] = fixed(host[name])
end
G.redis = fixed(host.redis)
G.server = nil
G.__redis__err__handler = function(e)
  return handle(e)
end

-- One key or argument comes alone, and none not at all. The next run has its own; what is long is not kept until then.
local function run(number, key, keys, arg, argv)
  G.KEYS, G.ARGV = keys or key and { key } or {}, argv or arg and { arg } or {}
  local ok, value = rawxpcall(scripts[number], handle)
  if keys or argv then
    G.KEYS, G.ARGV = nil, nil
  end
  return ok, value
end

-- Functions: while a library is loaded it finds nothing but what registers them.
local of_functions = {}
for k, v in rawpairs(G) do
  of_functions[k] = v
end
of_functions.__redis__err__handler = nil
of_functions.redis = fixed(host.redis_of_functions)
local when_loading = or_nonexistent({ redis = fixed(or_nonexistent(host.loading)) })
local when_running = or_nonexistent(of_functions)
local of_libraries, switched = fixed(of_functions)
of_functions._G = of_libraries

local function load_library(code)
  switched.__index = when_loading
  local ok, value = rawxpcall(code, handle)
  switched.__index = when_running
  return ok, value
end

local called, its_keys, its_argv
local function trampoline()
  return called(its_keys, its_argv)
end

local function run_function(number, key, keys, arg, argv)
  called, its_keys, its_argv = scripts[number], keys or key and { key } or {}, argv or arg and { arg } or {}
  local ok, value = rawxpcall(trampoline, handle)
  called, its_keys, its_argv = nil, nil, nil
  return ok, value
end

return globals, run, of_libraries, run_function, load_library
