-- What stands between a script and the machine: tables that cannot be changed, and errors that Rust raised as scripts know them.
-- Each `fixed` table is an empty one before the real one; what would look behind it finds there where to look (`guards.rs`).
local host = ...
local translate, handle, scripts = host.translate, host.handle, host.scripts
local rawpcall, rawxpcall, type, pairs = pcall, xpcall, type, pairs
local error, setmetatable, getmetatable, tostring = error, setmetatable, getmetatable, tostring
local rawconcat, select, tonumber = table.concat, select, tonumber
local refuse_argument, placed, guards = host.refuse, host.placed, host.guards

local function refuse()
  error("Attempt to modify a readonly table", 2)
end

local function fixed(real)
  local meta = { __index = real, __newindex = refuse, __metatable = false, [host.real] = real }
  return setmetatable({}, meta), meta
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
  select = select, tonumber = tonumber, tostring = tostring, type = type, _VERSION = _VERSION,
  pcall = safe_pcall, xpcall = safe_xpcall,
  unpack = guards.unpack, next = guards.next, pairs = guards.pairs, rawget = guards.rawget, rawset = guards.rawset,
  getmetatable = guards.getmetatable, setmetatable = guards.setmetatable,
}

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

local globals, of_globals = fixed(or_nonexistent(G))
of_globals[host.shown] = fixed({})
G._G = globals

-- Whether an argument is text, or a number as text.
local function is_text(value)
  local of = type(value)
  return of == "string" or of == "number"
end

G.loadstring = guards.loadstring

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
  return guards.loadstring(rawconcat(pieces), name or "=(load)")
end

-- Libraries.
local function copy_of(library)
  local copy = {}
  for k, v in pairs(library) do
    copy[k] = v
  end
  return copy
end

local real_table = copy_of(table)
real_table.insert, real_table.foreach = guards.insert, guards.foreach
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
real_string.find, real_string.match = guards.find, guards.match
real_string.gmatch, real_string.gsub = guards.gmatch, guards.gsub
real_string.gfind = real_string.gfind and guards.gmatch
G.string = fixed(real_string)
local of_strings = getmetatable("")
of_strings.__index = real_string
of_strings.__metatable = fixed({ __index = G.string })

G.os = fixed({ clock = os.clock })
for _, name in pairs({ "cjson", "cmsgpack", "bit", "struct" }) do
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
for k, v in pairs(G) do
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
