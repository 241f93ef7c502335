/** Prepared statements of pooled clients and of server connections, and the queue of replies that are expected for what was asked. */
@NullMarked
package dev.coppice.proxy.pool.statement;

import org.jspecify.annotations.NullMarked;
