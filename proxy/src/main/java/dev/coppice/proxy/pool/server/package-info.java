/** What a pool learns from what a server says: the parameters that it reports, its errors, and what a login was when it was made. */
@NullMarked
package dev.coppice.proxy.pool.server;

import org.jspecify.annotations.NullMarked;
