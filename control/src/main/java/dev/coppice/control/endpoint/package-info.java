/** The endpoints of branches and their computes: sizes, settings, starts, and what owners may do in them. */
@NullMarked
package dev.coppice.control.endpoint;

import org.jspecify.annotations.NullMarked;
