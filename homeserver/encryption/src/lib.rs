//! What end-to-end encryption needs of a server: device keys, one-time keys, cross-signing, key backup, to-device messages,
//! device lists, dehydrated devices. The server sees public keys and ciphertext only.
