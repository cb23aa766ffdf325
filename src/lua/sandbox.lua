-- What stands between a script and the machine: tables that cannot be changed, and errors that Rust raised as scripts know them.
-- Each `fixed` table is an empty one before the real one; what would look behind it is told where to look.
local host = ...
local translate, handle, scripts = host.translate, host.handle, host.scripts
local rawpcall, rawxpcall, rawget, rawset, next, type = pcall, xpcall, rawget, rawset, next, type
local rawpairs, error, setmetatable, getmetatable, tostring = pairs, error, setmetatable, getmetatable, tostring
local unpack, loadstring, load, rawconcat = unpack, loadstring, load, table.concat
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
local function finish(ok, first, ...)
  if not ok and type(first) == "userdata" then
    return false, translate(first)
  end
  return ok, first, ...
end

-- As in Redis: where what was raised is a table that has a text, `pcall` returns the text.
local function finish_pcall(ok, first, ...)
  if ok then
    return ok, first, ...
  end
  if type(first) == "userdata" then
    first = translate(first)
  end
  if type(first) == "table" then
    local text = first.err
    local of = type(text)
    if of == "string" or of == "number" then
      return false, text
    end
  end
  return false, first
end

local function safe_pcall(...)
  return finish_pcall(rawpcall(...))
end

local function safe_xpcall(f, handler)
  return rawxpcall(f, function(e)
    if type(e) == "userdata" then
      e = translate(e)
    end
    return handler(e)
  end)
end

-- Globals.
local G = {
  assert = assert, collectgarbage = collectgarbage, error = error, gcinfo = gcinfo, ipairs = ipairs, rawequal = rawequal,
  select = select, tonumber = tonumber, tostring = tostring, type = type, unpack = unpack, _VERSION = _VERSION, next = next,
  pcall = safe_pcall, xpcall = safe_xpcall,
}

G.pairs = function(t)
  local real = real_of[t]
  if real then
    return next, real, nil
  end
  return rawpairs(t)
end

G.rawget = function(t, k)
  return rawget(real_of[t] or t, k)
end

G.rawset = function(t, k, v)
  if real_of[t] then
    error(READONLY, 0)
  end
  return rawset(t, k, v)
end

local of_globals = fixed({})
G.getmetatable = function(t)
  local real = real_of[t]
  if real then
    return real == G and of_globals or nil
  end
  return getmetatable(t)
end

G.setmetatable = function(t, m)
  if real_of[t] then
    error(READONLY, 0)
  end
  return setmetatable(t, m)
end

-- What is nowhere is sought in a table that knows nothing, and says so.
local function nonexistent(_, k)
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

G.loadstring = function(code, name)
  local why = refuse_compiled(code)
  if why then
    return nil, why
  end
  return loadstring(code, name)
end

G.load = function(reader, name)
  local pieces = {}
  while true do
    local piece = reader()
    if piece == nil or piece == "" then
      break
    end
    if type(piece) ~= "string" then
      error("reader function must return a string", 2)
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
local function guarded(f)
  return function(t, ...)
    if real_of[t] then
      error(READONLY, 0)
    end
    return f(t, ...)
  end
end

local real_table = {}
for k, v in rawpairs(table) do
  real_table[k] = v
end
real_table.insert = guarded(table.insert)
G.table = fixed(real_table)

local real_coroutine = {}
for k, v in rawpairs(coroutine) do
  real_coroutine[k] = v
end
local resume = coroutine.resume
real_coroutine.resume = function(...)
  return finish(resume(...))
end
G.coroutine = fixed(real_coroutine)

local real_math = {}
for k, v in rawpairs(math) do
  real_math[k] = v
end
real_math.random, real_math.randomseed = host.random, host.randomseed
G.math = fixed(real_math)

local real_string = {}
for k, v in rawpairs(string) do
  real_string[k] = v
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
