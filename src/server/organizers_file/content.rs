//! The bytes of a file, piece by piece: where the reading is, and how much of the file it may cost.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, Read, Seek};

use zeroize::Zeroizing;

use super::error::{DEVICE_LIMIT, OrganizersFileError, SIZE_LIMIT};

/// Bytes read from the file at once.
const PIECE: usize = 64 * 1024;

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// What can be read from its beginning, again and again.
pub trait Source: Read + Seek + Send {}

impl<S: Read + Seek + Send> Source for S {}

/// A file that is read from its beginning to its end.
pub(super) struct Content<'s> {
    source: RefCell<Pieces<'s>>,
    /// How many bytes were read.
    position: Cell<usize>,
    /// Bytes that may be read besides devices, and of the device that is being read.
    left: Cell<usize>,
    left_of_device: Cell<Option<usize>>,
}

struct Pieces<'s> {
    source: &'s mut dyn Source,
    piece: Zeroizing<Vec<u8>>,
    at: usize,
    end: usize,
}

impl<'s> Content<'s> {
    pub(super) fn begin(source: &'s mut dyn Source) -> Result<Self, OrganizersFileError> {
        source.rewind().map_err(OrganizersFileError::Unreadable)?;
        let mut pieces = Pieces {
            source,
            piece: Zeroizing::new(vec![0; PIECE]),
            at: 0,
            end: 0,
        };
        pieces.pass_mark()?;
        Ok(Self {
            source: RefCell::new(pieces),
            position: Cell::new(0),
            left: Cell::new(SIZE_LIMIT),
            left_of_device: Cell::new(None),
        })
    }

    /// How many bytes were read: later for each value than for those that begin before it.
    pub(super) fn position(&self) -> usize {
        self.position.get()
    }

    /// What is read from here on belongs to a device, which has a limit of its own.
    pub(super) fn begin_device(&self) {
        self.left_of_device.set(Some(DEVICE_LIMIT));
    }

    pub(super) fn end_device(&self) {
        self.left_of_device.set(None);
    }

    /// Why the file can't be read any further.
    pub(super) fn failure(&self, error: serde_json::Error) -> OrganizersFileError {
        match (self.left.get(), self.left_of_device.get()) {
            _ if !error.is_io() => OrganizersFileError::Syntax(error),
            (_, Some(0)) => OrganizersFileError::LargeDevice {
                line: error.line(),
                column: error.column(),
            },
            (0, None) => OrganizersFileError::TooLarge,
            _ => OrganizersFileError::Unreadable(error.into()),
        }
    }

    fn charge(&self) -> io::Result<()> {
        let left = self.left_of_device.get();
        let less = left.unwrap_or(self.left.get()).checked_sub(1);
        let less = less.ok_or(ErrorKind::FileTooLarge)?;
        match left {
            Some(_) => self.left_of_device.set(Some(less)),
            None => self.left.set(less),
        }
        self.position.set(self.position.get() + 1);
        Ok(())
    }
}

impl Read for &Content<'_> {
    /// A byte at a time, as the reader of JSON asks for them.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(place) = into.first_mut() else {
            return Ok(0);
        };
        let mut pieces = self.source.borrow_mut();
        let Some(byte) = pieces.next()? else {
            return Ok(0);
        };
        self.charge()?;
        *place = byte;
        Ok(1)
    }
}

impl Pieces<'_> {
    /// Goes past the mark that editors put before UTF-8, and refuses UTF-16 with or without its own.
    fn pass_mark(&mut self) -> Result<(), OrganizersFileError> {
        while let Some(free) = self.piece.get_mut(self.end..MARK.len()) {
            match self.source.read(free) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(OrganizersFileError::Unreadable(error)),
            }
        }
        match self.piece.get(..self.end).unwrap_or_default() {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => {
                Err(OrganizersFileError::Utf16)
            }
            MARK => {
                self.at = self.end;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        if self.at == self.end {
            self.end = self.source.read(&mut self.piece)?;
            self.at = 0;
        }
        let read = self.piece.get(..self.end).unwrap_or_default();
        let byte = read.get(self.at).copied();
        self.at = self.end.min(self.at + 1);
        Ok(byte)
    }
}
