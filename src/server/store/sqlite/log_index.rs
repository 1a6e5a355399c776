//! The head of the index of a write-ahead log: whoever commits changes it. The index is memory that all have in common
//! who have the database open, so that it is looked at without a call to the system.
//!
//! Its layout is the one that SQLite documents: <https://www.sqlite.org/walformat.html>.

use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use rusqlite::{Connection, ffi};

/// Words of the head, which is there twice.
const WORDS: usize = 12;
/// The first word, which tells the layout.
const LAYOUT: u32 = 3_007_000;
/// The word that begins with whether there is a head.
const IS_THERE: usize = 3;
/// Bytes of the index that SQLite maps at once.
const REGION: c_int = 32 * 1024;

/// What is in the head.
pub(super) type Head = [u32; WORDS];

/// The index that a connection has mapped.
pub(super) struct LogIndex {
    memory: NonNull<AtomicU32>,
    /// It stays mapped for as long as a connection has the database open.
    _connection: Connection,
}

// SAFETY: the memory belongs to no thread, and it is read by atomic loads alone.
#[allow(unsafe_code, reason = "of the pointer")]
unsafe impl Send for LogIndex {}

impl LogIndex {
    /// That of the database which a connection has open.
    #[allow(unsafe_code, reason = "rusqlite has no other way to the index")]
    pub(super) fn of(connection: Connection) -> rusqlite::Result<Self> {
        // With the first read SQLite maps it, and makes it where there is none.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        let mut file: *mut ffi::sqlite3_file = ptr::null_mut();
        let mut memory: *mut c_void = ptr::null_mut();
        // SAFETY: the connection is open, and this asks for a pointer to its file, which is written to `file`.
        let asked = unsafe {
            ffi::sqlite3_file_control(
                connection.handle(),
                c"main".as_ptr(),
                ffi::SQLITE_FCNTL_FILE_POINTER,
                (&raw mut file).cast(),
            )
        };
        expect(asked)?;
        // SAFETY: SQLite has just told the file, which is open as long as its connection, and whose methods are there.
        let methods = unsafe { file.as_ref().and_then(|file| file.pMethods.as_ref()) };
        let map = methods.filter(|methods| methods.iVersion >= 2);
        let map = map
            .and_then(|methods| methods.xShmMap)
            .ok_or_else(no_index)?;
        // SAFETY: the file is open, and the first region of an index is mapped as SQLite itself maps it; none is made.
        expect(unsafe { map(file, 0, REGION, 0, &raw mut memory) })?;
        Ok(Self {
            memory: NonNull::new(memory.cast()).ok_or_else(no_index)?,
            _connection: connection,
        })
    }

    /// The head as it is now; none while it is written, or before there is one.
    #[allow(unsafe_code, reason = "it is memory that SQLite has mapped")]
    pub(super) fn head(&self) -> Option<Head> {
        // SAFETY: the region is mapped as long as the connection is open, is longer than that, and begins where words may.
        // SQLite and other processes write it meanwhile, as plain memory: no word that is read so is half written on the
        // processors there are, and none is believed unless both copies agree.
        let words = unsafe { slice::from_raw_parts(self.memory.as_ptr(), 2 * WORDS) };
        let (first, second) = words.split_at(WORDS);
        // It is written from its second copy to the first, and so both are the same only if none is half written.
        let first = loaded(first)?;
        fence(Ordering::SeqCst);
        let is_there = first[0] == LAYOUT && first[IS_THERE].to_ne_bytes()[0] != 0;
        (is_there && loaded(second)? == first).then_some(first)
    }
}

fn loaded(words: &[AtomicU32]) -> Option<Head> {
    let words: &[AtomicU32; WORDS] = words.try_into().ok()?;
    Some(words.each_ref().map(|word| word.load(Ordering::Relaxed)))
}

fn expect(code: c_int) -> rusqlite::Result<()> {
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)),
    }
}

fn no_index() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_NOLFS), None)
}
