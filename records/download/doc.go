// Package download brings what lies at an https address into a new file, and no more than that.
//
// Whoever answers is not trusted: the address is held to a few rules before anybody is asked, a
// redirect to them again, the length to a bound before and while it comes, and a server that says
// next to nothing is hung up on. Nothing is unpacked, no cookie, credential or trace of where one came
// from is sent on, and the server has no say in what the file is called. What was downloaded may be
// anything: deciding is somebody else's work.
package download
