//! Functions of Lua's own library that scripts call as they are, but for a check that comes first: what they are told to do must not
//! end the process, nor change what nobody may change.
//!
//! A check is no function of Lua's, but part of the one that it guards: what that refuses it refuses in its words, by the name and at
//! the place where the script called it, and nothing is called that was not called before. Behind functions of Lua's `table.insert`
//! took 1.7 times as long as Redis's.
//!
//! Invariant: a check runs in the frame of the function that it guards, leaves its arguments as they are but for what stands in front of
//! a table, and owns nothing when it raises an error, which leaps over it.
#![expect(
    unsafe_code,
    reason = "Lua's frames and what it keeps its functions in have no safe door"
)]

use std::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::AtomicU8;

use mlua::{Function, LightUserData, Lua, Table, ffi, lua_CFunction, lua_State};

/// What matches a pattern calls itself for each part of it that may repeat: more of them than this are too many for a thread's stack.
const PARTS_MAX: usize = 4000;
/// What compiled code begins with.
const COMPILED_MARK: u8 = 27;
const COMPILED: &CStr = c"attempt to load a binary chunk";
const READONLY: &CStr = c"Attempt to modify a readonly table";

/// Their addresses are keys that no script has: of the table that stands behind another one, and of what is shown as its metatable.
static REAL: AtomicU8 = AtomicU8::new(0);
static SHOWN: AtomicU8 = AtomicU8::new(1);

/// What is guarded: where it is found, and the function with its check in front.
const GUARDED: [(&str, &str, lua_CFunction); 13] = [
    ("", "unpack", unpack),
    ("", "next", next),
    ("", "rawget", rawget),
    ("", "rawset", rawset),
    ("", "getmetatable", getmetatable),
    ("", "setmetatable", setmetatable),
    ("", "loadstring", loadstring),
    ("table", "insert", insert),
    ("table", "foreach", foreach),
    ("string", "find", find),
    ("string", "match", matched),
    ("string", "gmatch", gmatch),
    ("string", "gsub", gsub),
];
const UNPACK: usize = 0;
const NEXT: usize = 1;
const RAWGET: usize = 2;
const RAWSET: usize = 3;
const GETMETATABLE: usize = 4;
const SETMETATABLE: usize = 5;
const LOADSTRING: usize = 6;
const INSERT: usize = 7;
const FOREACH: usize = 8;
const FIND: usize = 9;
const MATCH: usize = 10;
const GMATCH: usize = 11;
const GSUB: usize = 12;

/// Lua's own: they are parts of the program, the same in every machine.
static ORIGINALS: [OnceLock<lua_CFunction>; GUARDED.len()] =
    [const { OnceLock::new() }; GUARDED.len()];

/// Puts them into a table, by name, with the two keys.
pub fn fill(lua: &Lua, host: &Table) -> mlua::Result<()> {
    // SAFETY: both keep to what Lua asks of its functions: they take their arguments from their frame, leave as many results as
    // they say there, and hold nothing that would have to be dropped.
    let (keep, walker) = unsafe { (lua.create_c_function(keep)?, lua.create_c_function(walker)?) };
    let guards = lua.create_table()?;
    for (at, (library, name, guard)) in GUARDED.into_iter().enumerate() {
        let within = match library {
            "" => lua.globals(),
            library => lua.globals().raw_get(library)?,
        };
        keep.call::<()>((at, within.raw_get::<Function>(name)?))?;
        // SAFETY: as above.
        guards.raw_set(name, unsafe { lua.create_c_function(guard)? })?;
    }
    // Walks with the `next` that sees through.
    let original: Function = lua.globals().raw_get("pairs")?;
    let next: Function = guards.raw_get("next")?;
    guards.raw_set("pairs", walker.call::<Function>((original, next))?)?;
    host.raw_set("guards", guards)?;
    let key = |of: &'static AtomicU8| LightUserData(std::ptr::from_ref(of).cast_mut().cast());
    host.raw_set("real", key(&REAL))?;
    host.raw_set("shown", key(&SHOWN))
}

/// Remembers a function at a place.
unsafe extern "C-unwind" fn keep(state: *mut lua_State) -> c_int {
    // SAFETY: two arguments are there.
    let (at, original) = unsafe { (ffi::lua_tointeger(state, 1), ffi::lua_tocfunction(state, 2)) };
    let place = usize::try_from(at).ok().and_then(|at| ORIGINALS.get(at));
    if let (Some(place), Some(original)) = (place, original) {
        // Each machine finds the same.
        let _ = place.set(original);
    }
    0
}

/// Of `pairs` and a `next` makes the `pairs` that gives out this one.
unsafe extern "C-unwind" fn walker(state: *mut lua_State) -> c_int {
    // SAFETY: two arguments are there; the second, on top, becomes what the closure holds, as Lua's own `pairs` holds its `next`.
    unsafe {
        if let Some(original) = ffi::lua_tocfunction(state, 1) {
            ffi::lua_pushcclosure(state, original, 1);
        }
    }
    1
}

/// Goes on with Lua's own function, in the frame that there is.
///
/// # Safety
/// The frame is that of a call of the function.
unsafe fn go_on(state: *mut lua_State, at: usize) -> c_int {
    match ORIGINALS[at].get() {
        // SAFETY: it finds the frame as if it had been called itself.
        Some(original) => unsafe { original(state) },
        None => 0,
    }
}

/// Whether something stands in front of a table as the first argument; the table is on top then.
///
/// # Safety
/// The frame is that of a call.
unsafe fn is_front(state: *mut lua_State) -> bool {
    // SAFETY: a frame has room for twenty more than its arguments; what is pushed is popped but for the result.
    unsafe {
        if ffi::lua_type(state, 1) != ffi::LUA_TTABLE || ffi::lua_getmetatable(state, 1) == 0 {
            return false;
        }
        push_key(state, &REAL);
        ffi::lua_rawget(state, -2);
        ffi::lua_remove(state, -2);
        if ffi::lua_type(state, -1) == ffi::LUA_TTABLE {
            return true;
        }
        ffi::lua_settop(state, -2);
        false
    }
}

/// # Safety
/// The frame has room.
unsafe fn push_key(state: *mut lua_State, key: &'static AtomicU8) {
    let key: *mut c_void = std::ptr::from_ref(key).cast_mut().cast();
    // SAFETY: as it is said above; Lua only compares it.
    unsafe { ffi::lua_pushlightuserdata(state, key) }
}

/// Raises what Lua says of a change to a table that nobody may change: without a place, for it is a function of C's that does it.
///
/// # Safety
/// The frame has room, and nothing is to be dropped.
unsafe fn refuse(state: *mut lua_State) -> c_int {
    // SAFETY: as it is said above.
    unsafe {
        ffi::lua_pushstring(state, READONLY.as_ptr());
        ffi::lua_error(state)
    }
}

/// Puts the table itself where something stands in front of it.
///
/// # Safety
/// The frame is that of a call.
unsafe fn see_through(state: *mut lua_State) {
    // SAFETY: what `is_front` leaves on top takes the place of the first argument.
    unsafe {
        if is_front(state) {
            ffi::lua_replace(state, 1);
        }
    }
}

/// Whether an argument is missing or nil.
///
/// # Safety
/// The frame is that of a call.
unsafe fn is_left_out(state: *mut lua_State, at: c_int) -> bool {
    // SAFETY: any place may be asked for.
    matches!(
        unsafe { ffi::lua_type(state, at) },
        ffi::LUA_TNONE | ffi::LUA_TNIL
    )
}

/// Lua counts what it unpacks in 32 bits that may overflow, and writes behind its stack then.
unsafe extern "C-unwind" fn unpack(state: *mut lua_State) -> c_int {
    // SAFETY: only arguments are looked at; the error leaps over numbers.
    unsafe {
        let is_table = ffi::lua_type(state, 1) == ffi::LUA_TTABLE;
        let number = |at| ffi::lua_tointeger_(state, at) as c_int;
        if is_table && !(is_left_out(state, 2) && is_left_out(state, 3)) {
            let from = if is_left_out(state, 2) { 1 } else { number(2) };
            let to = match is_left_out(state, 3) {
                true => c_int::try_from(ffi::lua_objlen(state, 1)).unwrap_or(c_int::MAX),
                false => number(3),
            };
            if i64::from(to) - i64::from(from) >= i64::from(c_int::MAX) {
                return ffi::luaL_error(state, c"too many results to unpack".as_ptr());
            }
        }
        go_on(state, UNPACK)
    }
}

unsafe extern "C-unwind" fn next(state: *mut lua_State) -> c_int {
    // SAFETY: the frame is that of a call.
    unsafe {
        see_through(state);
        go_on(state, NEXT)
    }
}

unsafe extern "C-unwind" fn rawget(state: *mut lua_State) -> c_int {
    // SAFETY: the frame is that of a call.
    unsafe {
        see_through(state);
        go_on(state, RAWGET)
    }
}

unsafe extern "C-unwind" fn foreach(state: *mut lua_State) -> c_int {
    // SAFETY: the frame is that of a call.
    unsafe {
        see_through(state);
        go_on(state, FOREACH)
    }
}

unsafe extern "C-unwind" fn rawset(state: *mut lua_State) -> c_int {
    // SAFETY: the frame is that of a call; missing arguments are told first.
    unsafe {
        if ffi::lua_gettop(state) >= 3 && is_front(state) {
            return refuse(state);
        }
        go_on(state, RAWSET)
    }
}

unsafe extern "C-unwind" fn setmetatable(state: *mut lua_State) -> c_int {
    // SAFETY: the frame is that of a call; what is no metatable is told first.
    unsafe {
        let is_one = matches!(ffi::lua_type(state, 2), ffi::LUA_TNIL | ffi::LUA_TTABLE);
        if is_one && is_front(state) {
            return refuse(state);
        }
        go_on(state, SETMETATABLE)
    }
}

unsafe extern "C-unwind" fn getmetatable(state: *mut lua_State) -> c_int {
    // SAFETY: the frame is that of a call; a table that something stands in front of has this as its metatable.
    unsafe {
        if is_front(state) && ffi::lua_getmetatable(state, 1) != 0 {
            push_key(state, &SHOWN);
            ffi::lua_rawget(state, -2);
            return 1;
        }
        go_on(state, GETMETATABLE)
    }
}

/// Code that was compiled elsewhere is not to be trusted.
unsafe extern "C-unwind" fn loadstring(state: *mut lua_State) -> c_int {
    // SAFETY: the frame is that of a call, and the text is its for as long as this looks at it.
    unsafe {
        if ffi::lua_type(state, 1) == ffi::LUA_TSTRING {
            let mut len = 0;
            let text = ffi::lua_tolstring(state, 1, &raw mut len);
            if len > 0 && *text.cast::<u8>() == COMPILED_MARK {
                ffi::lua_pushnil(state);
                ffi::lua_pushstring(state, COMPILED.as_ptr());
                return 2;
            }
        }
        go_on(state, LOADSTRING)
    }
}

unsafe extern "C-unwind" fn insert(state: *mut lua_State) -> c_int {
    // SAFETY: the frame is that of a call; what is wrong with the arguments is told first.
    unsafe {
        let is_sound = match ffi::lua_gettop(state) {
            2 => true,
            3 => ffi::lua_isnumber(state, 2) != 0,
            _ => false,
        };
        if is_sound && is_front(state) {
            return refuse(state);
        }
        go_on(state, INSERT)
    }
}

/// Whether a pattern, the second argument, has more parts that may repeat than a thread's stack can take.
///
/// # Safety
/// The frame is that of a call.
unsafe fn is_too_complex(state: *mut lua_State) -> bool {
    // SAFETY: the text is the frame's for as long as this looks at it.
    unsafe {
        if ffi::lua_type(state, 2) != ffi::LUA_TSTRING {
            return false;
        }
        let mut len = 0;
        let text = ffi::lua_tolstring(state, 2, &raw mut len);
        if len <= PARTS_MAX {
            return false;
        }
        let text = std::slice::from_raw_parts(text.cast::<u8>(), len);
        let repeats = |byte: &&u8| matches!(byte, b'*' | b'+' | b'?' | b'-');
        text.iter().filter(repeats).count() > PARTS_MAX
    }
}

/// # Safety
/// The frame is that of a call of the function at this place.
unsafe fn match_by(state: *mut lua_State, at: usize) -> c_int {
    // SAFETY: as it is said above; nothing is to be dropped.
    unsafe {
        if is_too_complex(state) {
            return ffi::luaL_error(state, c"pattern too complex".as_ptr());
        }
        go_on(state, at)
    }
}

unsafe extern "C-unwind" fn find(state: *mut lua_State) -> c_int {
    // SAFETY: the frame is that of a call. What is sought as it stands has no parts.
    unsafe {
        if ffi::lua_toboolean(state, 4) != 0 {
            return go_on(state, FIND);
        }
        match_by(state, FIND)
    }
}

unsafe extern "C-unwind" fn matched(state: *mut lua_State) -> c_int {
    // SAFETY: the frame is that of a call.
    unsafe { match_by(state, MATCH) }
}

unsafe extern "C-unwind" fn gmatch(state: *mut lua_State) -> c_int {
    // SAFETY: the frame is that of a call.
    unsafe { match_by(state, GMATCH) }
}

unsafe extern "C-unwind" fn gsub(state: *mut lua_State) -> c_int {
    // SAFETY: the frame is that of a call.
    unsafe { match_by(state, GSUB) }
}
