//! Bytes → frames, incremental, apart from what the frames mean.
