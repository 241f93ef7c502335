/**
 * The server's end of a compute's Unix socket: answers the interposer's questions for files and pages out of the page
 * service, as written in {@code docs/page-protocol.md}, section 5.
 *
 * <p>What must stay true: an answer is whole or the connection ends; a page is never served for another epoch than the
 * one that runs; whatever a client sends, only bounded memory is used for it.
 *
 * <p>It must not know how computes are started or stopped.
 */
@NullMarked
package dev.coppice.compute.agent;

import org.jspecify.annotations.NullMarked;
