/**
 * The REST API under {@code /api/v2}, in the shapes of Neon's API v2, so that unmodified Neon clients work: snake-case
 * fields, {@code {code, message, request_id}} errors, operations, pagination.
 *
 * <p>What must stay true: every answer is JSON with the content length known; an error always has a message; nothing is
 * logged of headers (clients send keys in {@code Authorization} and in {@code Cookie}) or bodies. It translates and checks; what is done is
 * done by the workflows.
 */
@NullMarked
package dev.coppice.control.api;

import org.jspecify.annotations.NullMarked;
