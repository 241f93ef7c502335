/**
 * Secrets of the control plane: role passwords sealed with a key file, API keys hashed, SCRAM verifiers made and checked.
 * Nothing here logs, and no message names a secret.
 */
@NullMarked
package dev.coppice.control.secret;

import org.jspecify.annotations.NullMarked;
