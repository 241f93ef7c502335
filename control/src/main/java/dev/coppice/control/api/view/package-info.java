/** The objects that the API reads and shows, and how they are made of what the catalog and the workflows have. */
@NullMarked
package dev.coppice.control.api.view;

import org.jspecify.annotations.NullMarked;
