/** The person closed the question who they are: nothing was done. */
export class NotConfirmed extends Error {}
