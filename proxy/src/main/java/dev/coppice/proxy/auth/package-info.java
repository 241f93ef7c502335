/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677) on both sides: as the server towards clients, against stored verifiers, and as a
 * client towards computes, with the ClientKey that a client's correct proof gave away. No password ever passes
 * through. Secrets are compared in constant time, and a role that does not exist costs and looks the same as one
 * whose password was wrong.
 *
 * <p>Pure functions on bytes: it must not know channels, routes or the directory.
 */
@NullMarked
package dev.coppice.proxy.auth;

import org.jspecify.annotations.NullMarked;
