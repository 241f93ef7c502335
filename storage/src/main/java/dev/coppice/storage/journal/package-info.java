/**
 * The journal's format: segments, entries, their checksums, and finding the next whole entry after a torn one ({@code
 * docs/page-protocol.md} section 3).
 *
 * <p>What must stay true: an entry is delivered only when its header and its data have the right checksums; entries come
 * in file order; a tail that may still be in the making is neither delivered nor skipped. It knows nothing of what the
 * entries do to files.
 */
@NullMarked
package dev.coppice.storage.journal;

import org.jspecify.annotations.NullMarked;
