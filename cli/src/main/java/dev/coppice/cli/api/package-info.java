/** The server's REST API as the commands use it: where it is, its key and certificate, requests, and the look-ups from names to ids. */
@NullMarked
package dev.coppice.cli.api;

import org.jspecify.annotations.NullMarked;
