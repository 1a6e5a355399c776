//! `libgatehand.so`: the bridge of gatehand's feature `jni`, which exports its functions by itself.

use gatehand as _;
