/** What a pool has to know of a client's SQL: which settings a statement changes, and what ties its client to one server connection. */
@NullMarked
package dev.coppice.proxy.pool.sql;

import org.jspecify.annotations.NullMarked;
