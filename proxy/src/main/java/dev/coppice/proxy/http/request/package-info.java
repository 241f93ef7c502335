/** What an HTTP client asks, read from headers and body, and the error for what cannot be read. */
@NullMarked
package dev.coppice.proxy.http.request;

import org.jspecify.annotations.NullMarked;
