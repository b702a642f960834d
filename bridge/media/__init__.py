"""Media: fetched into private files, told by their content, fitted to what a network takes."""
