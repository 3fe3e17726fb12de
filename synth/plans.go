package synth

// plan is a care plan: its category, what is done, and what it is to reach.
type plan struct {
	what       concept
	activities []concept
	goals      []string
}

var (
	quitSmoking = sct("710081004", "Smoking cessation therapy")
	rest        = sct("183051005", "Recommendation to rest")
	exercise    = sct("229065009", "Exercise therapy")
	lowSalt     = sct("183063000", "Low salt diet education")
	lightWork   = sct("408580007", "Physical activity target light exercise")
	infection   = sct("439830001", "Behavior to prevent infection")
	dressing    = sct("385949008", "Dressing change management")
	stretching  = sct("229070002", "Stretching exercises")
)

var (
	respiratoryCare = plan{sct("53950000", "Respiratory therapy"), []concept{sct("304510005", "Recommendation to avoid exercise"),
		sct("371605008", "Deep breathing and coughing exercises"), quitSmoking}, nil}
	diabetesCare = plan{sct("698360004", "Diabetes self management plan"), []concept{sct("160670007", "Diabetic diet"), exercise}, []string{
		"Address patient knowledge deficit on diabetic self-care", "Hemoglobin A1c total in Blood < 7.0", "Glucose [Mass/volume] in Blood < 108",
		"Maintain blood pressure below 140/90 mmHg", "Improve foot health: early detection of \"silent\" neuropathy; prevention of diabetic foot ulcer"}}
	pressureCare = plan{sct("443402002", "Lifestyle education regarding hypertension"), []concept{sct("386463000", "Prescribed activity/exercise education"),
		sct("413473000", "Counseling about alcohol consumption"), sct("1151000175103", "Dietary approaches to stop hypertension diet"), quitSmoking}, nil}
	lipidCare = plan{sct("736285004", "Hyperlipidemia clinical management plan"), []concept{lowSalt, sct("183301007", "Physical exercises")}, nil}
	heartCare = plan{sct("735984001", "Heart failure self management plan"), []concept{lowSalt, sct("183301007", "Physical exercises")}, []string{
		"Improved systolic function", "Improved diastolic function", "Oxygen saturation in arterial blood by pulse oximetry > 85"}}
	copdCare = plan{sct("412776001", "Chronic obstructive pulmonary disease clinical management plan"), []concept{exercise,
		sct("15081005", "Pulmonary rehabilitation (regime/therapy)")}, nil}
	asthmaCare = plan{sct("699728000", "Asthma self management"), []concept{sct("710818004", "Inhaled steroid therapy"),
		sct("708409001", "Home nebulizer therapy"), sct("229298005", "Breathing control")}, nil}
	memoryCare = plan{sct("386257007", "Demential management"), []concept{sct("710125008", "Promotion of use of memory skills"),
		sct("315043002", "Long term social support")}, nil}
	jointCare     = plan{sct("91251008", "Physical therapy procedure"), []concept{sct("229586001", "Rest, ice, compression and elevation treatment programme"), stretching}, nil}
	woundCare     = plan{sct("225358003", "Wound care"), []concept{dressing, infection}, nil}
	burnCare      = plan{sct("133901003", "Burn care"), []concept{dressing, sct("440381005", "Behavior to prevent sun exposure"), infection}, nil}
	fractureCare  = plan{sct("385691007", "Fracture care"), []concept{rest, lightWork}, nil}
	headCare      = plan{sct("47387005", "Head injury rehabilitation"), []concept{rest, sct("226138001", "Alcohol-free diet")}, nil}
	allergyCare   = plan{sct("170836005", "Allergic disorder monitoring"), []concept{sct("58332002", "Allergy education"), sct("409002", "Food allergy diet")}, nil}
	skinCare      = plan{sct("711282006", "Skin condition care"), []concept{sct("225130001", "Application of moisturizer to skin")}, nil}
	cancerCare    = plan{sct("395082007", "Cancer care plan"), []concept{sct("226234005", "Healthy diet"), sct("243072006", "Cancer education"), lightWork}, nil}
	mindCare      = plan{sct("718347000", "Mental health care plan"), []concept{sct("88848003", "Psychiatric follow-up"), sct("385724002", "Coping support management")}, nil}
	urinaryCare   = plan{sct("869761000000107", "Urinary tract infection care"), []concept{sct("223472008", "Discussion about hygiene"), sct("171245007", "Urine screening")}, nil}
	antenatalCare = plan{sct("134435003", "Routine antenatal care"), []concept{sct("135892000", "Antenatal education"),
		sct("713076009", "Antenatal risk assessment"), sct("312404004", "Antenatal blood tests")}, nil}
	inpatientCare = plan{sct("736353004", "Inpatient care plan (record artifact)"), []concept{sct("385715006", "Cardiac care (regime/therapy)"),
		sct("386619000", "Low sodium diet (finding)")}, nil}
	surgeryCare = plan{sct("787301000000101", "Surgery care management"), []concept{rest, sct("103744005", "Administration of intravenous fluids")}, nil}
)
