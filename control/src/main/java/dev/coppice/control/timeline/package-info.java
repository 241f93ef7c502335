/** The timelines below branches: points of their history, new ones at such points, and those that belong to no branch. */
@NullMarked
package dev.coppice.control.timeline;

import org.jspecify.annotations.NullMarked;
