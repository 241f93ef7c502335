/**
 * Who may try to connect, and how often: address ranges and rates. Checked before anything is looked up, so that a flood
 * costs little; what is remembered about strangers is bounded. It must not know roles or passwords.
 */
@NullMarked
package dev.coppice.proxy.limit;

import org.jspecify.annotations.NullMarked;
