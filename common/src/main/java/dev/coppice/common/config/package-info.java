/**
 * The configuration file as records. Defaults live in {@link
 * dev.coppice.common.config.CoppiceConfiguration#DEFAULTS} and nowhere else; the commented {@code config/coppice.yaml}
 * is held equal to them by a test. What must stay true: an unknown key, a wrong type or a value out of range stops the
 * start with the key, the file and the line. It must not know who reads a value or what it configures.
 */
@NullMarked
package dev.coppice.common.config;

import org.jspecify.annotations.NullMarked;
