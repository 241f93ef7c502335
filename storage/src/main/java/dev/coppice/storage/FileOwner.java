package dev.coppice.storage;

/** Numeric user and group that the files a compute writes to are given to. */
public record FileOwner(int uid, int gid) {}
