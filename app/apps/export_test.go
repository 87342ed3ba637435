package apps

// ParsePicture is parsePicture.
var ParsePicture = parsePicture
