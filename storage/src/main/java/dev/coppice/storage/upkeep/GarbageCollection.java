package dev.coppice.storage.upkeep;

import dev.coppice.common.Lsn;

/**
 * What one collection of a timeline did.
 *
 * @param bytesBefore allocated bytes of its layers, journal and archived WAL, before
 * @param bytesAfter and after
 * @param horizon from where on every point is readable; below it only branch points of children and leases are
 */
public record GarbageCollection(long bytesBefore, long bytesAfter, Lsn horizon) {}
