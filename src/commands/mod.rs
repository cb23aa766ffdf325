//! What commands do: one table, one file per family. A data command is `(partitions, arguments, stamps) -> reply + effects`; it
//! checks everything first and changes last. Commands of the connection and of the server are named here and carried out
//! by the rooms that own connections and servers.

pub mod call;
pub mod effects;
pub mod registry;
pub mod strings;
pub mod table;

pub use call::{Access, DataCall};
pub use effects::{Effect, Effects};
pub use registry::lookup;
pub use table::{Flags, Handler, Keys, Row};
