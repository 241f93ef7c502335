/** Reads and writes of the catalog's tables; each runs inside the caller's transaction. */
@NullMarked
package dev.coppice.control.catalog.rows;

import org.jspecify.annotations.NullMarked;
