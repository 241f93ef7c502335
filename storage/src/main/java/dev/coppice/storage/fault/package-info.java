/**
 * What can go wrong in the page service, as callers catch it: {@link dev.coppice.storage.fault.StorageException} and its kinds.
 *
 * <p>It knows nothing of the rest, so that everything may throw these.
 */
@NullMarked
package dev.coppice.storage.fault;

import org.jspecify.annotations.NullMarked;
